.PHONY: test lint docs models picture bench lock check-generated

test:
	pytest

lint:
	ruff check .
	ruff format --check .
	mypy
	lint-imports

# What is made from records and from a real session.
docs:
	python -m agno_shell.config_docs
	python -m agno_shell.builtin.commands.docs
	python -m agno_shell.command_line_docs
	python -m agno_shell.builtin.direct_provider.docs
	python docs/slim.py

# What is known of models where litellm is not installed, from the litellm that is.
models:
	python -m agno_shell.builtin.direct_provider.make_extract

picture:
	python docs/picture.py

check-generated:
	python -m agno_shell.config_docs --check
	python -m agno_shell.builtin.commands.docs --check
	python -m agno_shell.command_line_docs --check
	python -m agno_shell.builtin.direct_provider.docs --check
	python -m agno_shell.builtin.direct_provider.make_extract --check
	python docs/slim.py --check

bench:
	python tests/bench/run.py

lock:
	uv pip compile pyproject.toml --extra dev --universal --generate-hashes --no-header \
		--no-annotate --python-version 3.11 --quiet --output-file requirements.lock
