package main

import (
	"strings"
	"testing"

	"google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc/codes"

	tehaiv1 "tehai-client/gen/tehai/v1"
)

// Plain text is for this machine, or where a setting says so; the table is that of the client in Python.
func TestEncryption(t *testing.T) {
	for _, row := range []struct {
		server, mode string
		rootsGiven   bool
		want         bool
	}{
		{"127.0.0.1:1", "", false, false},
		{"127.8.0.1:1", "auto", false, false},
		{"localhost:1", "", false, false},
		{"[::1]:1", "", false, false},
		{"unix:/run/tehai", "", false, false},
		{"127.0.0.1:1", "", true, true},
		{"127.0.0.1:1", "on", false, true},
		{"plans.example:443", "", false, true},
		{"localhost.example:443", "", false, true},
		{"10.0.0.7:1", "auto", false, true},
		{"10.0.0.7:1", "off", false, false},
	} {
		got, err := encrypts(row.server, row.mode, row.rootsGiven)
		if err != nil || got != row.want {
			t.Errorf("%+v: encrypted %v, error %v", row, got, err)
		}
	}
	for _, mode := range []string{"off", "some"} {
		if _, err := encrypts("10.0.0.7:1", mode, true); err == nil {
			t.Errorf("mode %q with roots is accepted", mode)
		}
	}
}

// A key never goes to another machine in plain text; what does not fit is an error before anything is sent.
func TestConnect(t *testing.T) {
	t.Setenv("TEHAI_API_KEY", "key")
	t.Setenv("TEHAI_CLIENT_ROOTS_FILE", "")
	t.Setenv("TEHAI_CLIENT_TLS", "off")
	if _, err := connect("10.0.0.7:1"); err == nil || !strings.Contains(err.Error(), "TLS only") {
		t.Errorf("a key to another machine without TLS: %v", err)
	}
	for _, server := range []string{"127.0.0.1:1", "plans.example:443"} {
		t.Setenv("TEHAI_CLIENT_TLS", "")
		connection, err := connect(server)
		if err != nil {
			t.Errorf("%s: %v", server, err)
			continue
		}
		connection.Close()
	}
	t.Setenv("TEHAI_CLIENT_ROOTS_FILE", t.TempDir()+"/missing.pem")
	if _, err := connect("plans.example:443"); err == nil || !strings.Contains(err.Error(), "ROOTS_FILE") {
		t.Errorf("roots that are missing: %v", err)
	}
}

// The server's error is in the text of a failed solve; a cancelled one has none, and its state is told.
func TestWithoutPlan(t *testing.T) {
	failed := &tehaiv1.Solve{
		Name:  "a",
		State: tehaiv1.SolveState_SOLVE_STATE_FAILED,
		Error: &status.Status{Code: int32(codes.Internal), Message: "broken"},
	}
	if text := withoutPlan(failed).Error(); !strings.HasPrefix(text, "a is failed: ") || !strings.Contains(text, "broken") {
		t.Error(text)
	}
	cancelled := &tehaiv1.Solve{Name: "b", State: tehaiv1.SolveState_SOLVE_STATE_CANCELLED}
	if text := withoutPlan(cancelled).Error(); text != "b is cancelled: there is no plan" {
		t.Error(text)
	}
}
