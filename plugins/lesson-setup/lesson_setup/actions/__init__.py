"""What a step of the setup lesson can do."""
