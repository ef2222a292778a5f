"""What went wrong in a training or in what a model writes, recognised from stored files."""
