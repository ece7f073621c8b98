"""`python -m prune_rnn` is `prune-rnn`."""

from prune_rnn.cli import main

if __name__ == "__main__":
    main()
