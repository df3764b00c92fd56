package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
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
	key := os.Getenv("TEHAI_API_KEY")
	roots := os.Getenv("TEHAI_CLIENT_ROOTS_FILE")
	encrypted, err := encrypts(server, os.Getenv("TEHAI_CLIENT_TLS"), roots != "")
	if err != nil {
		return nil, err
	}
	if key != "" && !encrypted && !isLoopback(server) {
		return nil, errors.New("TEHAI_API_KEY is sent over TLS only, but for a server of this machine")
	}
	transport := insecure.NewCredentials()
	if encrypted && roots == "" {
		// The roots of the system: they know a server whose certificate is publicly signed.
		transport = credentials.NewTLS(nil)
	} else if encrypted {
		if transport, err = credentials.NewClientTLSFromFile(roots, ""); err != nil {
			return nil, fmt.Errorf("TEHAI_CLIENT_ROOTS_FILE: %w", err)
		}
	}
	options := []grpc.DialOption{
		grpc.WithTransportCredentials(transport),
		grpc.WithDefaultServiceConfig(serviceConfig),
		grpc.WithDefaultCallOptions(
			grpc.MaxCallRecvMsgSize(messageBytesMax),
			grpc.MaxCallSendMsgSize(messageBytesMax),
			// Without it gRPC does not repeat a call of more than 256 KiB.
			grpc.MaxRetryRPCBufferSize(messageBytesMax),
		),
	}
	if key != "" {
		options = append(options, grpc.WithPerRPCCredentials(bearer{key, encrypted}))
	}
	return grpc.NewClient(server, options...)
}

// encrypts says whether the connection is TLS, as the client in Python decides it. With mode "auto", or "", it is, but
// for a server of this machine where no roots are given; "on" and "off" say it outright.
func encrypts(server, mode string, rootsGiven bool) (bool, error) {
	switch mode {
	case "", "auto":
		return rootsGiven || !isLoopback(server), nil
	case "on":
		return true, nil
	case "off":
		if rootsGiven {
			return false, errors.New("TEHAI_CLIENT_TLS is off: TEHAI_CLIENT_ROOTS_FILE would not be used")
		}
		return false, nil
	default:
		return false, fmt.Errorf("TEHAI_CLIENT_TLS must be auto, on or off, not %q", mode)
	}
}

// isLoopback says whether HOST:PORT is this machine.
func isLoopback(server string) bool {
	if strings.HasPrefix(server, "unix:") {
		return true
	}
	host, _, err := net.SplitHostPort(server)
	if err != nil {
		host = strings.Trim(server, "[]")
	}
	if host == "localhost" {
		return true
	}
	address, err := netip.ParseAddr(host)
	return err == nil && address.IsLoopback()
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
