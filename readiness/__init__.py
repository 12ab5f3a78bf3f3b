"""Change initiatives, surveys and scores: people are heard without being exposed, and see what comes of it."""
