declare <16 x float> @llvm.masked.load.v16f32.p0(ptr, <16 x i1>, <16 x float>)
declare i64 @llvm.smin.i64(i64, i64)
declare void @llvm.masked.store.v16f32.p0(<16 x float>, ptr, <16 x i1>)
define void @k04e4b540c92879c4f73a05f4(ptr %a0, i64 %a1, i64 %a2) nounwind {
entry:
  %v1 = getelementptr i64, ptr %a0, i64 0
  %v2 = load i64, ptr %v1, align 8
  %v3 = getelementptr i64, ptr %a0, i64 1
  %v4 = load i64, ptr %v3, align 8
  %v5 = getelementptr i64, ptr %a0, i64 2
  %v6 = load ptr, ptr %v5, align 8
  %v7 = getelementptr i64, ptr %a0, i64 3
  %v8 = load i64, ptr %v7, align 8
  %v9 = getelementptr i64, ptr %a0, i64 4
  %v10 = load ptr, ptr %v9, align 8
  %v11 = getelementptr i64, ptr %a0, i64 5
  %v12 = load i64, ptr %v11, align 8
  %v13 = getelementptr i64, ptr %a0, i64 6
  %v14 = load ptr, ptr %v13, align 8
  %v15 = getelementptr i64, ptr %a0, i64 7
  %v16 = load i64, ptr %v15, align 8
  %v17 = mul i64 %a1, %v2
  %v18 = mul i64 %a2, %v2
  %v19 = call i64 @llvm.smin.i64(i64 %v18, i64 %v4)
  %v20 = sub i64 %v19, %v17
  %v21 = urem i64 %v20, 32
  %v22 = sub i64 %v19, %v21
  br label %head23
head23:
  %i23 = phi i64 [ %v17, %entry ], [ %n23, %next23 ]
  %t23 = icmp slt i64 %i23, %v22
  br i1 %t23, label %body23, label %exit23
body23:
  %v24 = getelementptr float, ptr %v6, i64 %i23
  %v25 = load <32 x float>, ptr %v24, align 4
  %v26 = fmul <32 x float> %v25, splat (float 0x4000000000000000)
  %v27 = getelementptr float, ptr %v10, i64 %i23
  %v28 = load <32 x float>, ptr %v27, align 4
  %v29 = fadd <32 x float> %v26, %v28
  %v30 = getelementptr float, ptr %v14, i64 %i23
  store <32 x float> %v29, ptr %v30, align 4
  br label %next23
next23:
  %n23 = add i64 %i23, 32
  br label %head23
exit23:
  br label %head31
head31:
  %i31 = phi i64 [ %v22, %exit23 ], [ %n31, %next31 ]
  %t31 = icmp slt i64 %i31, %v19
  br i1 %t31, label %body31, label %exit31
body31:
  %v32 = insertelement <16 x i64> poison, i64 %i31, i64 0
  %v33 = shufflevector <16 x i64> %v32, <16 x i64> %v32, <16 x i32> <i32 0, i32 0, i32 0, i32 0, i32 0, i32 0, i32 0, i32 0, i32 0, i32 0, i32 0, i32 0, i32 0, i32 0, i32 0, i32 0>
  %v34 = add <16 x i64> <i64 0, i64 1, i64 2, i64 3, i64 4, i64 5, i64 6, i64 7, i64 8, i64 9, i64 10, i64 11, i64 12, i64 13, i64 14, i64 15>, %v33
  %v35 = insertelement <16 x i64> poison, i64 %v19, i64 0
  %v36 = shufflevector <16 x i64> %v35, <16 x i64> %v35, <16 x i32> <i32 0, i32 0, i32 0, i32 0, i32 0, i32 0, i32 0, i32 0, i32 0, i32 0, i32 0, i32 0, i32 0, i32 0, i32 0, i32 0>
  %v37 = icmp slt <16 x i64> %v34, %v36
  %v38 = getelementptr float, ptr %v6, i64 %i31
  %v39 = call <16 x float> @llvm.masked.load.v16f32.p0(ptr align 4 %v38, <16 x i1> %v37, <16 x float> zeroinitializer)
  %v40 = fmul <16 x float> %v39, splat (float 0x4000000000000000)
  %v41 = getelementptr float, ptr %v10, i64 %i31
  %v42 = call <16 x float> @llvm.masked.load.v16f32.p0(ptr align 4 %v41, <16 x i1> %v37, <16 x float> zeroinitializer)
  %v43 = fadd <16 x float> %v40, %v42
  %v44 = getelementptr float, ptr %v14, i64 %i31
  call void @llvm.masked.store.v16f32.p0(<16 x float> %v43, ptr align 4 %v44, <16 x i1> %v37)
  br label %next31
next31:
  %n31 = add i64 %i31, 16
  br label %head31
exit31:
  ret void
}
