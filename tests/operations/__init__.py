"""The durable store: what each part does, what both backends promise, and what happens when things break."""
