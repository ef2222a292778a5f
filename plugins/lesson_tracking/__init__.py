"""What a run reports, written for TensorBoard or Weights & Biases as well, if the user asks for it."""
