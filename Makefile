.DEFAULT_GOAL := help
.PHONY: help quick test coverage lint fmt docs site models picture check-generated bench lock

SITE ?= site

# Tests that start no process, wait for nothing and hardly use the disk: half a minute on two cores.
QUICK := tests/toolkit/full_text tests/config tests/conversation tests/diagnosis tests/cli/commands \
	tests/builtin/commands tests/builtin/pygments_renderer tests/builtin/test_offline_provider.py \
	tests/builtin/test_plain_renderer.py

help: ## list these
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

quick: ## the pure and fast tests
	pytest -q -n 2 $(QUICK)

test: ## all tests but the long variants
	pytest

# The folders left out run the code in other processes, which are not counted.
coverage: ## all tests in this process, and the branches that they do not reach
	pytest -q --cov --cov-branch --cov-report=term --ignore=tests/terminal \
		--ignore=tests/faults --ignore=tests/foreign

lint: ## style, types, the direction of imports
	ruff check .
	ruff format --check .
	mypy
	lint-imports

fmt: ## format the code, and fix what ruff can fix
	ruff check --fix .
	ruff format .

docs: ## write the files that are made from settings, commands, options and lists of names
	python -m agno_shell.base.stubs
	python -m agno_shell.config.docs
	python -m agno_shell.builtin.commands.docs
	python -m agno_shell.cli.docs
	python -m agno_shell.builtin.direct_provider.docs
	python docs/slim.py

# Not --quiet: mkdocs then counts no warning, so that none ends the build. The variable hides a notice
# about the future of the theme.
site: ## build the site of the documentation into the folder SITE, with every warning as an error
	NO_MKDOCS_2_WARNING=1 mkdocs build --strict --site-dir "$(SITE)"

models: ## write the extract of model data, from the litellm that is installed
	python -m agno_shell.builtin.direct_provider.make_extract

check-generated: ## check that the generated files are current
	python -m agno_shell.base.stubs --check
	python -m agno_shell.config.docs --check
	python -m agno_shell.builtin.commands.docs --check
	python -m agno_shell.cli.docs --check
	python -m agno_shell.builtin.direct_provider.docs --check
	python -m agno_shell.builtin.direct_provider.make_extract --check
	python docs/slim.py --check

picture: ## draw the picture of the README, from a real session
	python docs/picture.py

bench: ## measure; takes minutes, and a machine without other work
	python tests/bench/run.py

lock: ## write requirements.lock again
	uv pip compile pyproject.toml --extra dev --universal --generate-hashes --no-header \
		--no-annotate --python-version 3.11 --quiet --output-file requirements.lock
