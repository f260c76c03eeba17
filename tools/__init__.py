"""Programs that build, show and measure this project; none of them is installed."""
