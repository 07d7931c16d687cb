"""A coverage-guided, structure-aware fuzzer over decode, verify and admit; see docs/fuzzing.md."""
