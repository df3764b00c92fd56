"""The server as a real process, seen through a plain generated client."""
