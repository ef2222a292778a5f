"""The actions of the ct4 lesson: their declarations, and their code."""
