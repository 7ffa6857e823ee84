// rtnetlink constructors: see rtnetlink(7).
