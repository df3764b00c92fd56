package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"cloud.google.com/go/longrunning/autogen/longrunningpb"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"

	tehaiv1 "tehai-client/gen/tehai/v1"
)

// A watch that broke off so many times without anything new is given up.
const watchFailuresMax = 8

// quotedMax is how many workloads of the problem are quoted.
const quotedMax = 3

type durableSummary struct {
	Solve          string  `json:"solve"`
	State          string  `json:"state"`
	RequestIDKept  bool    `json:"request_id_kept"`
	QuotedYen      []int64 `json:"quoted_yen"`
	Indicative     bool    `json:"indicative"`
	CancelledSolve string  `json:"cancelled_solve"`
	CancelledState string  `json:"cancelled_state"`
	CancelAsked    bool    `json:"cancel_asked"`
}

// solveDurably creates a solve, follows it to its end, reads its plan and quotes with it; then it cancels another.
func solveDurably(
	ctx context.Context, connection *grpc.ClientConn, problem *tehaiv1.Problem, workLimit int64,
) (*tehaiv1.SolveResult, int, *durableSummary, error) {
	client := tehaiv1.NewSourcingServiceClient(connection)
	kept := &durableSummary{}
	options := &tehaiv1.SolveOptions{WorkLimit: proto.Int64(workLimit), Threads: proto.Int32(1)}
	request := &tehaiv1.CreateSolveRequest{
		Input:       &tehaiv1.CreateSolveRequest_Problem{Problem: problem},
		Options:     options,
		RequestId:   rand.Text(),
		DisplayName: "go-client",
	}
	operation, err := client.CreateSolve(ctx, request)
	if err != nil {
		return nil, 0, nil, fmt.Errorf("create solve: %w", err)
	}
	again, err := client.CreateSolve(ctx, request)
	if err != nil {
		return nil, 0, nil, fmt.Errorf("create the same solve again: %w", err)
	}
	kept.RequestIDKept = again.Name == operation.Name
	kept.Solve = solveName(operation.Name)
	fmt.Println("created", kept.Solve)
	progressCount := 0
	solve, err := watch(ctx, client, kept.Solve, func(progress *tehaiv1.Progress) bool {
		progressCount++
		printProgress(progress)
		return true
	})
	if err != nil {
		return nil, progressCount, nil, err
	}
	kept.State = stateName(solve.State)
	if solve.State != tehaiv1.SolveState_SOLVE_STATE_SUCCEEDED {
		return nil, progressCount, nil, withoutPlan(solve)
	}
	result, err := resultAndPlan(ctx, client, solve)
	if err != nil {
		return nil, progressCount, nil, err
	}
	if err := quote(ctx, client, solve.Plan, problem, kept); err != nil {
		return nil, progressCount, nil, err
	}
	return result, progressCount, kept, cancelAnother(ctx, connection, problem, kept)
}

// withoutPlan says why a solve ended without a plan. One that was cancelled has no error.
func withoutPlan(solve *tehaiv1.Solve) error {
	state := stateName(solve.State)
	if err := status.ErrorProto(solve.Error); err != nil {
		return fmt.Errorf("%s is %s: %w", solve.Name, state, err)
	}
	return fmt.Errorf("%s is %s: there is no plan", solve.Name, state)
}

// watch follows a solve until it has ended, or until onProgress returns false (then the answer is nil). A stream that
// breaks is taken up after the last event.
func watch(
	ctx context.Context, client tehaiv1.SourcingServiceClient, name string, onProgress func(*tehaiv1.Progress) bool,
) (*tehaiv1.Solve, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var sequence int64
	pause := 200 * time.Millisecond
	for failures := 0; ; {
		request := &tehaiv1.WatchSolveRequest{Name: name, AfterSequence: sequence}
		stream, err := client.WatchSolve(ctx, request)
		for err == nil {
			var event *tehaiv1.WatchSolveResponse
			if event, err = stream.Recv(); err != nil {
				break
			}
			sequence, failures, pause = event.Sequence, 0, 200*time.Millisecond
			switch kind := event.Event.(type) {
			case *tehaiv1.WatchSolveResponse_Progress:
				if !onProgress(kind.Progress) {
					return nil, nil
				}
			case *tehaiv1.WatchSolveResponse_Changed:
				fmt.Println(stateName(kind.Changed.State))
			case *tehaiv1.WatchSolveResponse_Ended:
				fmt.Println(stateName(kind.Ended.State))
				return kind.Ended, nil
			}
		}
		failures++
		brokeOff := errors.Is(err, io.EOF) || status.Code(err) == codes.Unavailable
		if !brokeOff || failures > watchFailuresMax {
			return nil, fmt.Errorf("watch %s: %w", name, err)
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(pause):
			pause = min(2*pause, 5*time.Second)
		}
	}
}

// resultAndPlan reads the result and the plan of a solve, which must be one and the same.
func resultAndPlan(
	ctx context.Context, client tehaiv1.SourcingServiceClient, solve *tehaiv1.Solve,
) (*tehaiv1.SolveResult, error) {
	plan, err := client.GetPlan(ctx, &tehaiv1.GetPlanRequest{Name: solve.Plan})
	if err != nil {
		return nil, fmt.Errorf("get plan: %w", err)
	}
	result, err := client.GetSolveResult(ctx, &tehaiv1.GetSolveResultRequest{Name: solve.Name})
	if err != nil {
		return nil, fmt.Errorf("get result: %w", err)
	}
	if !proto.Equal(plan, result.Plan) {
		return nil, fmt.Errorf("%w: the plan is not that of the result", errDoesNotAddUp)
	}
	return result, nil
}

// quote prices the first workloads of the problem at the plan's prices.
func quote(
	ctx context.Context, client tehaiv1.SourcingServiceClient, plan string, problem *tehaiv1.Problem, kept *durableSummary,
) error {
	workloads := problem.Workloads[:min(quotedMax, len(problem.Workloads))]
	answer, err := client.QuoteWorkloads(ctx, &tehaiv1.QuoteWorkloadsRequest{Plan: plan, Workloads: workloads})
	if err != nil {
		return fmt.Errorf("quote: %w", err)
	}
	kept.Indicative = len(answer.Quotes) > 0
	for _, quote := range answer.Quotes {
		kept.Indicative = kept.Indicative && quote.Indicative
		if len(quote.Placements) == 0 {
			fmt.Printf("%-24s no placement: %s\n", quote.WorkloadId, quote.Reason)
			continue
		}
		kept.QuotedYen = append(kept.QuotedYen, quote.Placements[0].PriceYen)
		for _, placement := range quote.Placements {
			fmt.Printf("%-24s %-24s %6d  %-10s %18d yen\n",
				quote.WorkloadId, placement.PoolId, placement.Accelerators, placement.StartDate, placement.PriceYen)
		}
	}
	return nil
}

// cancelAnother creates a solve that would go on for long, and ends it once there is a plan, which is kept.
func cancelAnother(
	ctx context.Context, connection *grpc.ClientConn, problem *tehaiv1.Problem, kept *durableSummary,
) error {
	client, operations := tehaiv1.NewSourcingServiceClient(connection), longrunningpb.NewOperationsClient(connection)
	operation, err := client.CreateSolve(ctx, &tehaiv1.CreateSolveRequest{
		Input: &tehaiv1.CreateSolveRequest_Problem{Problem: problem},
		Options: &tehaiv1.SolveOptions{
			TimeLimitSeconds: proto.Float64(600), GapFraction: proto.Float64(0), Threads: proto.Int32(1),
		},
		RequestId: rand.Text(),
	})
	if err != nil {
		return fmt.Errorf("create another solve: %w", err)
	}
	kept.CancelledSolve = solveName(operation.Name)
	hasNoPlan := func(progress *tehaiv1.Progress) bool { return progress.ObjectiveYen == nil }
	if _, err := watch(ctx, client, kept.CancelledSolve, hasNoPlan); err != nil {
		return err
	}
	if _, err := operations.CancelOperation(ctx, &longrunningpb.CancelOperationRequest{Name: operation.Name}); err != nil {
		return fmt.Errorf("cancel: %w", err)
	}
	for !operation.Done {
		operation, err = operations.WaitOperation(ctx, &longrunningpb.WaitOperationRequest{
			Name: operation.Name, Timeout: durationpb.New(30 * time.Second),
		})
		if err != nil {
			return fmt.Errorf("wait for %s: %w", kept.CancelledSolve, err)
		}
	}
	metadata := &tehaiv1.CreateSolveMetadata{}
	if err := operation.Metadata.UnmarshalTo(metadata); err != nil {
		return fmt.Errorf("operation %s: %w", operation.Name, err)
	}
	kept.CancelledState, kept.CancelAsked = stateName(metadata.Solve.State), metadata.Solve.CancelRequested
	fmt.Println("cancelled", kept.CancelledSolve, "which is", kept.CancelledState)
	return nil
}

func solveName(operation string) string {
	return strings.Replace(operation, "/operations/", "/solves/", 1)
}

func stateName(state tehaiv1.SolveState) string {
	return strings.ToLower(strings.TrimPrefix(state.String(), "SOLVE_STATE_"))
}
