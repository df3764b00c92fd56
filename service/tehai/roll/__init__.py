"""The parts of a rolled problem: what runs on, what is booked, what is left of limits and caps; docs/rules.md."""
