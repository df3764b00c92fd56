"""Long-running work: a durable store of solves, their events and their bytes. It knows bytes, not plans."""
