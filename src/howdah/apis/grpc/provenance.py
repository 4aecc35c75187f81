# SPDX-License-Identifier: Apache-2.0
"""`howdah.v1.Lake/InspectProvenance`: what made an output file. Its own module, since it alone of Lake asks `pps`.

The servicer of Lake answers the call with `inspect_provenance`; the question itself is answered in `howdah.pps`.
"""

from howdah.apis.grpc.answers import FileMessages
from howdah.apis.grpc.pps_answers import input_file, job_message
from howdah.model.refs import File
from howdah.pfs.files import View
from howdah.pps.pps import Pps
from howdah.wire.stubs import howdah_v1_pb2 as pb

__all__ = ["inspect_provenance"]


def inspect_provenance(pps: Pps, view: View, path: str) -> pb.InspectProvenanceResponse:
    """The datum, job, code and input files that made one output file. Blocking: call it through the bridge.

    Raises:
        NotFound: there is no such file, or DATUM_NOT_FOUND: no pipeline made it.
    """
    info = view.inspect(path)
    found = pps.datums.provenance(File(view.commit, info.path))
    return pb.InspectProvenanceResponse(
        file=FileMessages(view.commit, view.committed).one(info),
        job=job_message(found.job),
        datum_id=found.datum_id,
        pipeline_version=found.version,
        cmd=found.cmd,
        image=found.image,
        inputs=[pb.InputFile(name=part.name, file=input_file(part)) for part in found.inputs],
    )
