"""Sound as values and arithmetic, and the engines that hear and speak."""
