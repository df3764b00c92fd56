// Command go-client shows how a program in another language uses Tehai: it asks the server for a problem, has it
// checked and solved, follows the progress and reads the plan.
//
//	go-client -server 127.0.0.1:50051 -problem small -work-limit 20 -json plan-summary.json
//
// Exit status: 0 a plan came back and adds up, 1 it did not, 2 the server could not be used.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"sort"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/proto"

	tehaiv1 "tehai-client/gen/tehai/v1"
)

// messageBytesMax is as large as what the server accepts, so that a big plan comes back in one message.
const messageBytesMax = 64 << 20

// summary is what the program says in -json, for other programs.
type summary struct {
	Status        string  `json:"status"`
	Placed        int     `json:"placed"`
	NotRun        int     `json:"not_run"`
	ObjectiveYen  int64   `json:"objective_yen"`
	LowerBoundYen int64   `json:"lower_bound_yen"`
	Gap           float64 `json:"gap"`
	Verified      bool    `json:"verified"`
	ProgressCount int     `json:"progress_count"`
}

func main() {
	server := flag.String("server", "127.0.0.1:50051", "address of the server")
	name := flag.String("problem", "small", "demo problem: small or team-japan")
	workLimit := flag.Int64("work-limit", 20, "rounds of search; the same limit gives the same plan")
	jsonPath := flag.String("json", "", "file for a summary in JSON")
	timeout := flag.Duration("timeout", 5*time.Minute, "most time for all calls together")
	flag.Parse()
	ctx, cancel := context.WithTimeout(context.Background(), *timeout)
	defer cancel()
	result, progressCount, err := solve(ctx, *server, *name, *workLimit)
	if err != nil {
		fmt.Fprintln(os.Stderr, "go-client:", err)
		os.Exit(2)
	}
	print(result)
	if err := check(result); err != nil {
		fmt.Fprintln(os.Stderr, "go-client: the plan does not add up:", err)
		os.Exit(1)
	}
	if *jsonPath != "" {
		if err := write(*jsonPath, result, progressCount); err != nil {
			fmt.Fprintln(os.Stderr, "go-client:", err)
			os.Exit(2)
		}
	}
}

// solve fetches a demo problem, has it checked and solved, and returns the last event of the stream.
func solve(ctx context.Context, server, name string, workLimit int64) (*tehaiv1.SolveResult, int, error) {
	connection, err := grpc.NewClient(
		server,
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(messageBytesMax), grpc.MaxCallSendMsgSize(messageBytesMax)),
	)
	if err != nil {
		return nil, 0, err
	}
	defer connection.Close()
	client := tehaiv1.NewSourcingServiceClient(connection)
	demo, err := client.GetDemoProblem(ctx, &tehaiv1.GetDemoProblemRequest{Name: name})
	if err != nil {
		return nil, 0, fmt.Errorf("get demo problem %q: %w", name, err)
	}
	checked, err := client.CheckProblem(ctx, &tehaiv1.CheckProblemRequest{Problem: demo.Problem})
	if err != nil {
		return nil, 0, fmt.Errorf("check problem: %w", err)
	}
	if len(checked.Violations) > 0 {
		return nil, 0, violationError(checked.Violations)
	}
	stream, err := client.StreamSolve(ctx, &tehaiv1.StreamSolveRequest{
		Problem: demo.Problem,
		Options: &tehaiv1.SolveOptions{WorkLimit: proto.Int64(workLimit), Threads: proto.Int32(1)},
	})
	if err != nil {
		return nil, 0, fmt.Errorf("solve: %w", err)
	}
	return follow(stream)
}

// follow prints progress until the stream ends in a result.
func follow(stream grpc.ServerStreamingClient[tehaiv1.StreamSolveResponse]) (*tehaiv1.SolveResult, int, error) {
	var result *tehaiv1.SolveResult
	progressCount := 0
	for {
		event, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			if result == nil {
				return nil, progressCount, errors.New("the stream ended without a result")
			}
			return result, progressCount, nil
		}
		if err != nil {
			return nil, progressCount, fmt.Errorf("solve: %w", err)
		}
		switch kind := event.Event.(type) {
		case *tehaiv1.StreamSolveResponse_Progress:
			progressCount++
			printProgress(kind.Progress)
		case *tehaiv1.StreamSolveResponse_Result:
			result = kind.Result
		case *tehaiv1.StreamSolveResponse_Violations:
			return nil, progressCount, violationError(kind.Violations.Violations)
		}
	}
}

func violationError(violations []*tehaiv1.Violation) error {
	lines := make([]string, 0, len(violations))
	for _, v := range violations {
		lines = append(lines, fmt.Sprintf("%s %s: %s; %s", v.Code, v.Path, v.Message, v.Action))
	}
	return fmt.Errorf("the problem is not valid:\n%s", strings.Join(lines, "\n"))
}

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

func write(path string, result *tehaiv1.SolveResult, progressCount int) error {
	text, err := json.MarshalIndent(summary{
		Status:        strings.ToLower(strings.TrimPrefix(result.Status.String(), "SOLVE_STATUS_")),
		Placed:        len(result.Plan.Placements),
		NotRun:        len(result.Plan.NotRunWorkloadIds),
		ObjectiveYen:  result.ObjectiveYen,
		LowerBoundYen: result.LowerBoundYen,
		Gap:           result.GetGap(),
		Verified:      result.Verified,
		ProgressCount: progressCount,
	}, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(text, '\n'), 0o600)
}
