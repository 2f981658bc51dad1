"""The sandbox: honest calls come back right, and nothing that code does inside has an effect outside."""
