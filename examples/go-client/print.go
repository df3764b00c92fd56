package main

import (
	"errors"
	"fmt"
	"sort"
	"strings"

	tehaiv1 "tehai-client/gen/tehai/v1"
)

func printProgress(p *tehaiv1.Progress) {
	phase := strings.ToLower(strings.TrimPrefix(p.Phase.String(), "SOLVE_PHASE_"))
	line := fmt.Sprintf("%6.1f s  %-8s", p.ElapsedSeconds, phase)
	if p.LowerBoundYen != nil {
		line += fmt.Sprintf("  bound %15d yen", *p.LowerBoundYen)
	}
	if p.ObjectiveYen != nil {
		line += fmt.Sprintf("  plan %15d yen", *p.ObjectiveYen)
	}
	if p.Gap != nil {
		line += fmt.Sprintf("  gap %.3f %%", 100**p.Gap)
	}
	fmt.Println(line)
}

// print shows where each workload runs and what the plan costs.
func print(result *tehaiv1.SolveResult) {
	fmt.Printf("\n%-24s %-24s %6s  %-10s %9s\n", "workload", "pool", "count", "from", "hours")
	for _, placement := range result.Plan.Placements {
		for _, segment := range placement.Segments {
			fmt.Printf("%-24s %-24s %6d  %-10s %9.1f\n",
				placement.WorkloadId, segment.PoolId, segment.Accelerators, segment.StartDate, segment.RunHours)
		}
	}
	for _, id := range result.Plan.NotRunWorkloadIds {
		fmt.Printf("%-24s not run\n", id)
	}
	byComponent := map[string]int64{}
	for _, line := range result.Plan.BillLines {
		name := strings.ToLower(strings.TrimPrefix(line.Component.String(), "BILL_COMPONENT_"))
		byComponent[name] += line.AmountYen
	}
	names := make([]string, 0, len(byComponent))
	for name := range byComponent {
		names = append(names, name)
	}
	sort.Strings(names)
	fmt.Println()
	for _, name := range names {
		fmt.Printf("%-24s %18d yen\n", name, byComponent[name])
	}
	fmt.Printf("%-24s %18d yen\n%-24s %18d yen\n", "objective", result.ObjectiveYen, "lower bound", result.LowerBoundYen)
}

// check adds up what a caller should not have to take on trust: bill lines, cash years, bound under objective.
func check(result *tehaiv1.SolveResult) error {
	var total int64
	for _, line := range result.Plan.BillLines {
		total += line.AmountYen
	}
	switch {
	case total != result.ObjectiveYen || total != result.Plan.ObjectiveYen:
		return fmt.Errorf("bill lines sum to %d, objective is %d", total, result.ObjectiveYen)
	case result.LowerBoundYen > result.ObjectiveYen:
		return fmt.Errorf("lower bound %d above objective %d", result.LowerBoundYen, result.ObjectiveYen)
	case len(result.Plan.Placements)+len(result.Plan.NotRunWorkloadIds) == 0:
		return errors.New("no workload is placed or listed as not run")
	case !result.Verified:
		return errors.New("the server did not verify it")
	}
	return nil
}
