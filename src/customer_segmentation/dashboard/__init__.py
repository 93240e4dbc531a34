"""The boards of dashboard/, rendered as a static site or served: docs/dashboard.md."""
