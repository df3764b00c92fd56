"""Properties that hold on seeded random problems."""
