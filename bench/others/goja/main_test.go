package main

import (
	"testing"

	"github.com/hyperlight-go/hyperlight-js/bench/others/enginetest"
)

func TestEngine(t *testing.T) { enginetest.Run(t, engine{}) }
