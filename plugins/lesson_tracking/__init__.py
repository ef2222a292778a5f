"""Write what a run reports for TensorBoard or Weights & Biases too, if the user asks for it."""
