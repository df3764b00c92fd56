// Command go-client shows how a program in another language uses Tehai.
//
//	go-client -server 127.0.0.1:50051 -problem small -work-limit 20 -json plan-summary.json
//	go-client -server 127.0.0.1:50051 -durable
//
// Without -durable it has a demo problem checked and solved in one call that lasts as long as the solve. With -durable
// it creates a solve that the server keeps, follows it, reads the plan, has workloads quoted at the plan's prices, and
// cancels a second solve. TEHAI_API_KEY is the API key or token, where the server wants one. A connection to another
// machine is TLS with the roots of the system, or with those of TEHAI_CLIENT_ROOTS_FILE, which turns it on for a server
// of this machine too; TEHAI_CLIENT_TLS may be on or off in place of auto.
//
// Exit status: 0 a plan came back and adds up, 1 it did not, 2 the server could not be used.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"time"

	tehaiv1 "tehai-client/gen/tehai/v1"
)

// errDoesNotAddUp is in the chain of every error about an answer that came and is wrong.
var errDoesNotAddUp = errors.New("the plan does not add up")

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
	// With -durable.
	Durable *durableSummary `json:"durable,omitempty"`
}

func main() {
	server := flag.String("server", "127.0.0.1:50051", "address of the server")
	name := flag.String("problem", "small", "demo problem: small or team-japan")
	workLimit := flag.Int64("work-limit", 20, "rounds of search; the same limit gives the same plan")
	jsonPath := flag.String("json", "", "file for a summary in JSON")
	timeout := flag.Duration("timeout", 5*time.Minute, "most time for all calls together")
	durable := flag.Bool("durable", false, "create a solve that the server keeps, quote, and cancel another")
	flag.Parse()
	ctx, cancel := context.WithTimeout(context.Background(), *timeout)
	defer cancel()
	if err := run(ctx, *server, *name, *workLimit, *durable, *jsonPath); err != nil {
		fmt.Fprintln(os.Stderr, "go-client:", explained(err))
		if errors.Is(err, errDoesNotAddUp) {
			os.Exit(1)
		}
		os.Exit(2)
	}
}

func run(ctx context.Context, server, name string, workLimit int64, durable bool, jsonPath string) error {
	connection, err := connect(server)
	if err != nil {
		return err
	}
	defer connection.Close()
	client := tehaiv1.NewSourcingServiceClient(connection)
	problem, err := checkedDemo(ctx, client, name)
	if err != nil {
		return err
	}
	var result *tehaiv1.SolveResult
	var progressCount int
	var kept *durableSummary
	if durable {
		result, progressCount, kept, err = solveDurably(ctx, connection, problem, workLimit)
	} else {
		result, progressCount, err = solve(ctx, client, problem, workLimit)
	}
	if err != nil {
		return err
	}
	print(result)
	if err := check(result); err != nil {
		return fmt.Errorf("%w: %w", errDoesNotAddUp, err)
	}
	if jsonPath == "" {
		return nil
	}
	return write(jsonPath, result, progressCount, kept)
}

// checkedDemo fetches a demo problem and has it checked.
func checkedDemo(ctx context.Context, client tehaiv1.SourcingServiceClient, name string) (*tehaiv1.Problem, error) {
	demo, err := client.GetDemoProblem(ctx, &tehaiv1.GetDemoProblemRequest{Name: name})
	if err != nil {
		return nil, fmt.Errorf("get demo problem %q: %w", name, err)
	}
	checked, err := client.CheckProblem(ctx, &tehaiv1.CheckProblemRequest{Problem: demo.Problem})
	if err != nil {
		return nil, fmt.Errorf("check problem: %w", err)
	}
	if len(checked.Violations) > 0 {
		return nil, violationError(checked.Violations)
	}
	return demo.Problem, nil
}

func write(path string, result *tehaiv1.SolveResult, progressCount int, kept *durableSummary) error {
	text, err := json.MarshalIndent(summary{
		Status:        strings.ToLower(strings.TrimPrefix(result.Status.String(), "SOLVE_STATUS_")),
		Placed:        len(result.Plan.Placements),
		NotRun:        len(result.Plan.NotRunWorkloadIds),
		ObjectiveYen:  result.ObjectiveYen,
		LowerBoundYen: result.LowerBoundYen,
		Gap:           result.GetGap(),
		Verified:      result.Verified,
		ProgressCount: progressCount,
		Durable:       kept,
	}, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(text, '\n'), 0o600)
}
