"""Pages that a person understands in ten seconds: a card is blocks of plain values, drawn as HTML, Markdown or JSON."""
