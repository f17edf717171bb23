// Package layers holds the test that keeps imports going down the layer table only.
package layers
