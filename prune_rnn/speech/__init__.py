"""What speech recognition computes with: characters, features, decoding, error rates."""
