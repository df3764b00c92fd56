"""The gRPC server: one process per solve; this package never imports the solver."""
