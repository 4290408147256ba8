module github.com/sluicehq/sluice/ci/tools

go 1.26.0
