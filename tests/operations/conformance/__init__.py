"""What every backend must do; the tests run against each."""
