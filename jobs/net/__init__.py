"""The additive-code net: codes, the linear solution it stands on, the ResNet body, training and tuning. Arrays in, arrays out."""
