"""The memo: findings, causes, a revised mixture and why, as Markdown, HTML and gin."""
