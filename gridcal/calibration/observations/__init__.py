"""What a target has seen: its observations in the units and periods of the model output they are compared with."""
