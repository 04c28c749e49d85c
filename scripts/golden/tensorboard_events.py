"""Prints what TensorBoard reads from the event files in a folder, as JSON: values by tag and step.

Its reader checks the checksum of every record. Usage: tensorboard_events.py FOLDER
"""

import json
import sys

from tensorboard.backend.event_processing import event_accumulator

reader = event_accumulator.EventAccumulator(sys.argv[1], size_guidance={event_accumulator.TENSORS: 0})
reader.Reload()
values = {
    tag: {str(event.step): float(event.tensor_proto.float_val[0]) for event in reader.Tensors(tag)}
    for tag in reader.Tags()["tensors"]
}
values.update(
    {tag: {str(event.step): event.value for event in reader.Scalars(tag)} for tag in reader.Tags()["scalars"]}
)
print(json.dumps(values))
