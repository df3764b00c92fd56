package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	tehaiv1 "tehai-client/gen/tehai/v1"
)

// solve solves in one call and returns the last event of the stream.
func solve(
	ctx context.Context, client tehaiv1.SourcingServiceClient, problem *tehaiv1.Problem, workLimit int64,
) (*tehaiv1.SolveResult, int, error) {
	stream, err := client.StreamSolve(ctx, &tehaiv1.StreamSolveRequest{
		Problem: problem,
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
