"""The way to the broker: the link's states and the contract that every transport keeps."""
