"""What the rules said, against what was true: matching, counts, rates, pictures. No simulation here."""
