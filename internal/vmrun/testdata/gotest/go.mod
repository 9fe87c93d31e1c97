module gotest

go 1.25
