# Skill table
nav-skills = Skill table
skills-title = Skill table
skills-line = 0 means never, 100 is the best. A faint number is taken from the region above. “Whole body” stands for whole-body exams alone, not for the regions below.
skills-import = Import a CSV
skills-empty-title = No readers yet
skills-empty-text = The table appears here when readers have been added.
skills-region = Region
skills-imported = { $n } values were imported. The plan is being made anew.
skills-fault-place = Row-column { $value }:
skills-fault-sheet = This cannot be read as CSV. The first row holds headings such as 脳CT, 脳MR. { $value }
skills-fault-heading = The heading “{ $value }” names no known region and modality.
skills-fault-reader = There is no reader “{ $value }”. Use a login, a name, or 読影医N.
skills-fault-value = “{ $value }” is not a whole number from 0 to 100.
skills-saved = Saved.
skills-inherits = (from above)
skills-keys = Choose a cell and type 0 to 100. Arrows and Enter move, Escape puts back, an empty cell takes the region above.
