"""How good a scorecard is: metrics, calibration, groups, close rates."""
