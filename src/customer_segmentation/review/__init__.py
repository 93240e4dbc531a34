"""What a change to segment definitions would do, before it is merged.

`sides` compiles the definitions before and after, `changes` says which differ, `effect` whom that would move,
`checks` what the reviewer should look at, `pages` writes it down.
"""
