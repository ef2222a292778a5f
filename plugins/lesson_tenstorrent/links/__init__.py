"""
Links to commands of Tenstorrent's extension for VS Code, which are buttons in the lessons it shows.

``commands.yaml`` says what each command does. ``interpret`` turns it into action calls; ``copy_template``
copies the extension's templates, which ``toolkit`` finds.
"""
