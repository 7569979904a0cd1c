module github.com/rumpctrl/rumpctrl

go 1.26
