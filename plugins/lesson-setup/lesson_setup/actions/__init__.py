"""The actions of the setup lesson."""
