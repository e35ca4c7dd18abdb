"""bucket.py make|list ENDPOINT BUCKET: makes a bucket, or prints its keys, one a line."""
import sys

import boto3

what, endpoint, name = sys.argv[1:]
client = boto3.client("s3", endpoint_url=endpoint, region_name="ap-northeast-1",
                      aws_access_key_id="test", aws_secret_access_key="test")
if what == "make":
    client.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "ap-northeast-1"})
else:
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=name):
        for item in page.get("Contents", []):
            print(item["Key"])
