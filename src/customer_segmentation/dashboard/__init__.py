"""The boards of dashboard/, rendered as a static site: docs/dashboard.md."""
