"""What builtins and plugins build with: words, tables, records, files, threads. Public."""
