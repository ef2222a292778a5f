"""The actions a step of the lesson can use: what they take, and what they do."""
