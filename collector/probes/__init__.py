"""What the centre knows of its own health: a process of its own that asks broker, store and the way out."""
