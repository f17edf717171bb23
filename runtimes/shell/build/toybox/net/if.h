// Nothing of it can be done here.
