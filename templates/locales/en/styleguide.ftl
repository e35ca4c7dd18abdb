# Style guide
styleguide-line = Invented data
styleguide-ai = AI help, 1 mark
