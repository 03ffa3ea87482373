"""What servers say of the models that they have."""
