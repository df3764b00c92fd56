"""What the service does when processes die, disks fill, databases vanish, clocks jump and callers misbehave."""
