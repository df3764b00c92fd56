package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
)

// messageBytesMax is as large as what the server accepts, so that a big plan comes back in one message.
const messageBytesMax = 64 << 20

// serviceConfig lets gRPC itself repeat the calls that may be: all of these are idempotent, CreateSolve by its
// request id.
const serviceConfig = `{"methodConfig": [{
	"name": [
		{"service": "tehai.v1.SourcingService", "method": "CreateSolve"},
		{"service": "tehai.v1.SourcingService", "method": "GetSolve"},
		{"service": "tehai.v1.SourcingService", "method": "GetSolveResult"},
		{"service": "tehai.v1.SourcingService", "method": "GetPlan"},
		{"service": "tehai.v1.SourcingService", "method": "QuoteWorkloads"},
		{"service": "google.longrunning.Operations", "method": "CancelOperation"},
		{"service": "google.longrunning.Operations", "method": "WaitOperation"}
	],
	"retryPolicy": {
		"maxAttempts": 5, "initialBackoff": "0.2s", "maxBackoff": "5s", "backoffMultiplier": 2,
		"retryableStatusCodes": ["UNAVAILABLE"]
	}
}]}`

// bearer sends an API key or a token with each call.
type bearer struct {
	credential string
	encrypted  bool
}

func (b bearer) GetRequestMetadata(context.Context, ...string) (map[string]string, error) {
	return map[string]string{"authorization": "Bearer " + b.credential}, nil
}

// RequireTransportSecurity lets a credential go unencrypted to this machine only.
func (b bearer) RequireTransportSecurity() bool { return b.encrypted }

// connect opens a connection with what the environment says.
func connect(server string) (*grpc.ClientConn, error) {
	transport := insecure.NewCredentials()
	roots := os.Getenv("TEHAI_CLIENT_ROOTS_FILE")
	if roots != "" {
		loaded, err := credentials.NewClientTLSFromFile(roots, "")
		if err != nil {
			return nil, fmt.Errorf("TEHAI_CLIENT_ROOTS_FILE: %w", err)
		}
		transport = loaded
	}
	options := []grpc.DialOption{
		grpc.WithTransportCredentials(transport),
		grpc.WithDefaultServiceConfig(serviceConfig),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(messageBytesMax), grpc.MaxCallSendMsgSize(messageBytesMax)),
	}
	if key := os.Getenv("TEHAI_API_KEY"); key != "" {
		local := strings.HasPrefix(server, "127.0.0.1:") || strings.HasPrefix(server, "localhost:")
		options = append(options, grpc.WithPerRPCCredentials(bearer{key, roots != "" || !local}))
	}
	return grpc.NewClient(server, options...)
}

// explained adds what the details of a gRPC error say: reason, fields, when to try again.
func explained(err error) string {
	text := err.Error()
	var carrier interface{ GRPCStatus() *status.Status }
	if !errors.As(err, &carrier) {
		return text
	}
	for _, detail := range carrier.GRPCStatus().Details() {
		switch known := detail.(type) {
		case *errdetails.ErrorInfo:
			text += fmt.Sprintf("\n  reason %s", known.Reason)
		case *errdetails.BadRequest:
			for _, violation := range known.FieldViolations {
				text += fmt.Sprintf("\n  %s: %s", violation.Field, violation.Description)
			}
		case *errdetails.RetryInfo:
			text += fmt.Sprintf("\n  try again in %s", known.RetryDelay.AsDuration())
		}
	}
	return text
}
